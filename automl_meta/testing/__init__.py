"""Contract tests, one class per extension point: subclass it in your tests and provide your member."""
