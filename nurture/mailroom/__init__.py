"""Mails that come back, by whatever way: delivered to a door of our own (LMTP), or fetched from a mailbox (IMAP)."""
