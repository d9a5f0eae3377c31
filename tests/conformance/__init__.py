"""The model against what others say a TCP does: cases, and recordings of Linux."""
