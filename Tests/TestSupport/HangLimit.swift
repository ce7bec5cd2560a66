/// The seconds after which a test gives up on something that hangs.
///
/// It measures nothing: with all suites in one process on two loaded cores, every other test may come first.
package let hangLimit = 1500.0
