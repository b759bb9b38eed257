"""What is odd about a stretch of a series: windows, their features, and how far they lie from others."""
