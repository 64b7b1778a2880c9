"""The bundles that come with the product, one folder each."""
