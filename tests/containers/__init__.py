"""The images and the Kubernetes chart: what checks them, and their set-up steps run in a clean environment."""
