"""Runs the simulator by itself: `zohosim --port 8600`."""

import argparse
import sys

import uvicorn

from zohosim.app import create_app
from zohosim.simulator import DEFAULT_CLIENT, Simulator


def read_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="zohosim", description="A local Zoho to develop and test against.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8600)
    parser.add_argument("--data-centre", default="in", help="the home data centre (default: in)")
    parser.add_argument("--api-base", help="address to tell as api_domain, instead of the one requests come to")
    parser.add_argument(
        "--seed-fields",
        nargs="*",
        default=[],
        metavar="MODULE:LABEL[:unique]",
        help="custom text fields that are there from the start, e.g. 'Contacts:Storefront User Id:unique'",
    )
    return parser.parse_args(arguments)


def build(options: argparse.Namespace) -> Simulator:
    simulator = Simulator(api_base=options.api_base, data_centre=options.data_centre)
    for given in options.seed_fields:
        module, label, *flags = given.split(":")
        simulator.seed_field(module, label, unique="unique" in flags)
    return simulator


def run() -> None:
    """Serve until interrupted; the address is told on the first line."""
    options = read_arguments()
    base = f"http://{options.host}:{options.port}"
    sys.stdout.write(f"zohosim {base}/  client {DEFAULT_CLIENT.id}  secret {DEFAULT_CLIENT.secret}\n")
    sys.stdout.flush()
    uvicorn.run(create_app(build(options)), host=options.host, port=options.port, log_level="warning")


if __name__ == "__main__":
    run()
