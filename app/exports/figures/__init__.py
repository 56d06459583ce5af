"""The figures of exports: one file per view, and what two of them share."""
