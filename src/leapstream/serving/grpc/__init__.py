"""The gRPC server beside the ASGI application; each service is a module with a function ``methods``."""
