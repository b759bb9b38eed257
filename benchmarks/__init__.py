"""What outlearn is measured by: studies, the harness that they share, and their committed results."""
