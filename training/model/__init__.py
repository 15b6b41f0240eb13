"""The encoder with its heads in torch: tuning, tracing to ONNX, quantising."""
