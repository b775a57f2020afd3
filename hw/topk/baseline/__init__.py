"""Other ways to find outliers, to compare Orizuru with."""
