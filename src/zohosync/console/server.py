"""The console behind uvicorn."""

import socket

import uvicorn

from zohosync.console.app import create_app
from zohosync.console.desk import Console


class ConsoleServer(uvicorn.Server):
    """A uvicorn server that ends the event streams when it stops: it would wait for them for ever otherwise."""

    def __init__(self, console: Console) -> None:
        settings = console.settings
        self.app = create_app(console)
        super().__init__(
            uvicorn.Config(
                self.app,
                host=settings.console_host,
                port=settings.console_port,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=5,
                ws="none",
            )
        )

    @property
    def url(self) -> str:
        """Where it listens, once started; a port of 0 has become a real one."""
        for server in self.servers:
            for listening in server.sockets:
                host, port = listening.getsockname()[:2]
                return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        return ""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.app.state.live.close()
        await super().shutdown(sockets)
