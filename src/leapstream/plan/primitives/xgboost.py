"""XGBoost's trees, in single precision."""
