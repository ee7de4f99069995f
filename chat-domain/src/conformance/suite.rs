use futures_util::future::LocalBoxFuture;

/// One test of a suite, as a value. The suite's own tests run it on adapters that are wrong.
///
/// A suite's list is `chat_domain::conformance::<port>::checks()`.
pub struct Check<Subject> {
    /// The name of the test.
    pub name: &'static str,
    /// The promise that it tests: a bullet of the port's contract, or one of its methods.
    pub promise: &'static str,
    /// Puts a fresh adapter to it.
    pub run: fn(Subject) -> LocalBoxFuture<'static, ()>,
}

/// Says, when a test fails, which promise of which port is broken.
pub(crate) struct Promise {
    /// The folder of the port.
    pub(crate) port: &'static str,
    pub(crate) promise: &'static str,
}

impl Drop for Promise {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { port, promise } = self;
            eprintln!("This breaks a promise of the port {port}: \"{promise}\".");
        }
    }
}

/// Makes a suite of lists of tests, one list for each promise of the port: a bullet of its contract, or a
/// method. A test is an `async fn` that the module has in scope. It takes [`Handles`](super::Handles) of the
/// port, or (`on one`) an `Arc` of it.
///
/// The lists are the only thing that calls them: a test that is missing in them is dead code, and does not
/// compile.
///
/// Tests after `and where it is` need more of an adapter than the port. One that has it not says so: `without
/// Trait`.
macro_rules! suite {
    ($(#[$attribute:meta])* $name:ident in $module:ident on one $port:path { $($list:tt)+ }) => {
        $crate::conformance::suite! { @suite [one] [$(#[$attribute])*] $name $module [$port] { $($list)+ } }
    };
    ($(#[$attribute:meta])* $name:ident in $module:ident on handles of $port:path { $($list:tt)+ }
    $($rest:tt)*) => {
        $crate::conformance::suite! {
            @suite [handles] [$(#[$attribute])*] $name $module [$port] { $($list)+ } $($rest)*
        }
    };
    (@suite $given:tt $attributes:tt $name:ident $module:ident $port:tt {
        $($promise:literal { $($test:ident,)* })+
    } $(and where it is $other:ident, on handles of $both:path {
        $($other_promise:literal { $($other_test:ident,)+ })+
    })?) => {
        #[doc(hidden)]
        pub mod suite {
            $crate::conformance::suite! { @tests checks $module $given $port $([$promise $($test)*])+ }
            $($crate::conformance::suite! {
                @tests checks_of_both $module $given [$both] $([$other_promise $($other_test)+])+
            })?

            /// Every promise of the port, those included for which the suite explains why it has no test.
            #[cfg(test)]
            pub(crate) const PROMISES: &[&str] = &[$($promise,)+ $($($other_promise,)+)?];
        }

        $crate::conformance::suite! {
            @macro [$] $attributes $name $module [$($($test)*)+] [$($($($other_test)+)+)?] $($other)?
        }
    };
    (@tests $checks:ident $module:ident $given:tt $port:tt $([$promise:literal $($test:ident)*])+) => {
        $($($crate::conformance::suite! { @test $module $given $port $promise $test })*)+

        $crate::conformance::suite! { @checks $given $port $checks $($([$promise $test])*)+ }
    };
    (@test $module:ident [handles] [$port:path] $promise:literal $test:ident) => {
        pub async fn $test(subject: $crate::conformance::Handles<impl $port + 'static>) {
            let _promise = $crate::conformance::Promise { port: stringify!($module), promise: $promise };
            let handles = subject.map(|store| -> std::sync::Arc<dyn $port> { store });
            $crate::conformance::to_its_end(super::$test(handles)).await;
        }
    };
    (@test $module:ident [one] [$port:path] $promise:literal $test:ident) => {
        pub async fn $test(subject: impl $port + 'static) {
            let _promise = $crate::conformance::Promise { port: stringify!($module), promise: $promise };
            $crate::conformance::to_its_end(super::$test(std::sync::Arc::new(subject))).await;
        }
    };
    (@checks [handles] [$port:path] $checks:ident $([$promise:literal $test:ident])*) => {
        #[must_use]
        pub fn $checks<Store: $port + 'static>()
        -> Vec<$crate::conformance::Check<$crate::conformance::Handles<Store>>> {
            vec![$($crate::conformance::Check {
                name: stringify!($test),
                promise: $promise,
                run: |subject| Box::pin($test(subject)),
            },)*]
        }
    };
    (@checks [one] [$port:path] $checks:ident $([$promise:literal $test:ident])*) => {
        #[must_use]
        pub fn $checks<Subject: $port + 'static>() -> Vec<$crate::conformance::Check<Subject>> {
            vec![$($crate::conformance::Check {
                name: stringify!($test),
                promise: $promise,
                run: |subject| Box::pin($test(subject)),
            },)*]
        }
    };
    (@macro [$d:tt] [$(#[$attribute:meta])*] $name:ident $module:ident $tests:tt $more:tt
    $($other:ident)?) => {
        $(#[$attribute])*
        #[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
        #[macro_export]
        macro_rules! $name {
            ($d fresh:expr) => {
                $d crate::$name! { @tests $d fresh; $tests $more }
            };
            $(($d fresh:expr, without $other) => {
                $d crate::$name! { @tests $d fresh; $tests [] }
            };)?
            (@tests $d fresh:expr; $d ([$d ($d test:ident)*])+) => {
                $d ($d (
                    #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $d test() {
                        $d crate::conformance::$module::$d test(($d fresh)().await).await;
                    }
                )*)+
            };
        }
    };
}
pub(crate) use suite;
