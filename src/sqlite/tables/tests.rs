mod fixtures;
mod hostile;
mod legitimate;
mod restored;
mod rows;
