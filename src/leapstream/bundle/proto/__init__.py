"""Protobuf messages of the bundle format; ``protoc`` generates the ``_pb2`` modules from the ``.proto`` files beside them."""
