"""The Open Inference Protocol, version 2, as far as REST and gRPC share it: tensors as columns, inference, repositories."""
