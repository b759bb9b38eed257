"""What is odd about a stretch of a series: windows, what describes them, and how far they lie from others."""
