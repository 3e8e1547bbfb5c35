//! Pictures that are cut, odd or damaged.
