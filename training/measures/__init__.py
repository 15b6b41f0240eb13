"""What the reading model and the card are measured by: sets, perturbations, figures with intervals, and the pages they fill."""
