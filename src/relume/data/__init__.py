"""Training data: pictures found, decoded once, cropped and degraded reproducibly."""
