"""What Flower must know of our Redis: all our keys and channels begin so (worker/broker.py)."""

broker_transport_options = {"global_keyprefix": "dxspan:"}
