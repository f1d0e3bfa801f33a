//! Keys and values; knows neither wire nor log.
