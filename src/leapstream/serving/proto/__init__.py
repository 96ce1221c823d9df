"""Protobuf messages of the protocols; ``protoc`` generates the ``_pb2`` modules from the ``.proto`` files beside them."""
