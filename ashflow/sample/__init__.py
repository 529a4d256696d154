"""The sample project that `ashflow init --sample` and `scripts/demo` use."""
