"""Degradations: what makes a sharp picture bad, for training and evaluation."""
