"""The reading model in torch and how it learns: encoder and heads, what a step sees, losses, the run, tracing to ONNX, quantising."""
