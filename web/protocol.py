"""HTTP as the web process reads it: by llhttp, which is quick and sets no bound to the head of a request; this does."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD = 65_536  # bytes, and what one read brings


class BoundedHead(HttpToolsProtocol):
    """A connection that ends with 400 once the head of a request is too long, be it finished or not."""

    _in_head = False
    _held = 0  # bytes of the line that has not ended
    _read = 0  # bytes of the lines that have

    def data_received(self, data: bytes) -> None:
        """Read on, as long as the head has an end."""
        self._held += len(data) if self._in_head else 0
        super().data_received(data)
        if self._in_head and self._held > LONGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head, self._held, self._read = True, 0, 0

    def on_url(self, url: bytes) -> None:
        """A part of its address has come."""
        super().on_url(url)
        self._count(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header of it has come."""
        super().on_header(name, value)
        self._count(name, value)

    def on_headers_complete(self) -> None:
        """Its head has come."""
        self._in_head = False
        super().on_headers_complete()

    def _count(self, *parts: bytes) -> None:
        self._held, self._read = 0, self._read + sum(map(len, parts))
        if self._read > LONGEST_HEAD:
            raise ValueError("the head of the request is too long")  # which is answered with 400
