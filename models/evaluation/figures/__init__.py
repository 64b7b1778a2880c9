"""What is counted and fitted: rates and their limits, scores, calibration, probability of detection. Pure."""
