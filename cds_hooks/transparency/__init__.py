"""What dxspan says of itself: the source attributes, the model card, and who made a proposed resource."""
