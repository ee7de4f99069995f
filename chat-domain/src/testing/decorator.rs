/// Makes the calls, the replies and the decorator of a port from the signatures of its methods.
///
/// They are written as in the trait, with two differences: each has the name of its variant before it, and an
/// argument that is borrowed is written `&'_ id: RoomId` instead of `id: &RoomId`, so that a macro sees it.
macro_rules! decorator {
    (
        $port:ident, $call:ident, $reply:ident, $error:ident, $decorated:ident:
        $(
            $variant:ident =
                $method:ident($($(&$lifetime:lifetime)? $argument:ident: $type:ty),*) -> $output:ty;
        )+
    ) => {
        #[doc = concat!("A call of a [`", stringify!($port), "`]: the method and its arguments.")]
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "the arguments are explained where the method is")]
        #[allow(clippy::large_enum_variant, reason = "a call is on its way, and few are at a time")]
        pub enum $call<'a> {
            $(
                #[doc = concat!("[`", stringify!($port), "::", stringify!($method), "`]")]
                $variant { $($argument: decorator!(@kept 'a $(&$lifetime)? $type)),* },
            )+
        }

        impl $call<'_> {
            /// The name of the method, as errors and logs say it.
            #[must_use]
            pub fn method(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => stringify!($method),)+
                }
            }

            /// The same call with arguments of its own.
            #[must_use]
            pub fn into_owned(self) -> $call<'static> {
                match self {
                    $(
                        Self::$variant { $($argument),* } => {
                            $call::$variant { $($argument: decorator!(@owned $(&$lifetime)? $argument)),* }
                        }
                    )+
                }
            }
        }

        #[doc = concat!("What a [`", stringify!($port), "`] replies: the method and what it returns.")]
        #[derive(Clone, Debug)]
        #[allow(clippy::large_enum_variant, reason = "a reply is on its way, and few are at a time")]
        pub enum $reply {
            $(
                #[doc = concat!("[`", stringify!($port), "::", stringify!($method), "`]")]
                $variant($output),
            )+
        }

        impl Port for dyn $port {
            type Call<'a> = $call<'a>;
            type Reply = $reply;
            type Error = $error;

            fn call<'a, 'b: 'a>(&'a self, call: $call<'b>) -> Outcome<'a, Self> {
                Box::pin(async move {
                    match call {
                        $(
                            $call::$variant { $($argument),* } => {
                                let outcome = self.$method($(decorator!(@lent $(&$lifetime)? $argument)),*);
                                outcome.await.map($reply::$variant)
                            }
                        )+
                    }
                })
            }
        }

        #[doc = concat!("A [`", stringify!($port), "`] whose calls go through a closure.")]
        pub type $decorated = Decorated<dyn $port>;

        #[async_trait]
        impl $port for $decorated {
            $(
                async fn $method(&self $(, $argument: $(&$lifetime)? $type)*) -> Result<$output, $error> {
                    let call =
                        $call::$variant { $($argument: decorator!(@borrowed $(&$lifetime)? $argument)),* };
                    match self.decorated(call).await? {
                        $reply::$variant(output) => Ok(output),
                        #[allow(unreachable_patterns, reason = "a port with one method has one reply")]
                        other => panic!("`{}` cannot reply {other:?}", stringify!($method)),
                    }
                }
            )+
        }
    };

    // An argument in a call: borrowed from the caller, or owned.
    (@kept $a:lifetime &$lifetime:lifetime $type:ty) => { Cow<$a, $type> };
    (@kept $a:lifetime $type:ty) => { $type };
    (@borrowed &$lifetime:lifetime $argument:ident) => { Cow::Borrowed($argument) };
    (@borrowed $argument:ident) => { $argument };
    (@owned &$lifetime:lifetime $argument:ident) => { Cow::Owned($argument.into_owned()) };
    (@owned $argument:ident) => { $argument };
    (@lent &$lifetime:lifetime $argument:ident) => { &$argument };
    (@lent $argument:ident) => { $argument };
}
pub(super) use decorator;
