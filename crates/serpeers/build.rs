//! Programs find libtorch without LD_LIBRARY_PATH.
fn main() {
    libtorch_link::rpath();
}
