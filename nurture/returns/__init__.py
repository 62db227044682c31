"""What comes back after a message: bounces, complaints, answers; what each means, and when too many are too many."""
