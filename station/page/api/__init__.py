"""What programs may ask of the page and tell it: JSON under `/api/1`, by the same roles as people."""
