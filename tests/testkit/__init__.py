"""What tests of several folders import: builders of configurations and of records, and waiting for a condition."""
