"""The measurements: each figure beside the bare thing, in the same run. See README.md."""
