"""What people said of rows: verdicts in a store, which row to ask about next, and what answers change."""
