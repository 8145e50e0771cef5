//! The rules of the architecture, as far as a program can check them. They need no running stack.

#[cfg(test)]
mod imports;
#[cfg(test)]
mod packages;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod tree;
