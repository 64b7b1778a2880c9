"""How parts and pictures are measured: scorers, parts, defects, disturbances, where evidence lies, and the document."""
