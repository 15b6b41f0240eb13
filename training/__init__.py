"""Makes, measures and calibrates the model that the worker loads; the only home of torch."""
