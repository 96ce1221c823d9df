"""The floor of gRPC in Python: a server of grpcio's that sends each message back. Arguments: port, threads, method's path."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc


def main() -> None:
    port, threads, path = sys.argv[1:]
    _, service, method = path.split("/")
    echo = grpc.unary_unary_rpc_method_handler(lambda message, call: message)
    handlers = [grpc.method_handlers_generic_handler(service, {method: echo})]
    server = grpc.server(ThreadPoolExecutor(int(threads)), handlers=handlers)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
