using System.Diagnostics.CodeAnalysis;
using SparkGateway.Domain;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

/// <summary>What kind of failure a call to the API server had. Each has one code and one text for users.</summary>
internal enum KubeFailure
{
    /// <summary>A create: an object of that name is there.</summary>
    AlreadyExists,

    /// <summary>No such object, or no such kind on this cluster.</summary>
    NotFound,

    /// <summary>A precondition did not hold: another uid or version, or a failed test of a patch.</summary>
    Conflict,

    /// <summary>The gateway's service account lacks a right.</summary>
    Forbidden,

    /// <summary>A quota of the namespace is used up.</summary>
    Quota,

    NamespaceMissing,

    NamespaceTerminating,

    WebhookDenied,

    /// <summary>An admission webhook did not answer the API server.</summary>
    WebhookDown,

    /// <summary>The schema refuses a value.</summary>
    Invalid,

    /// <summary>We sent a field that the cluster's version of the kind does not know.</summary>
    StrictDecoding,

    /// <summary>The version that a watch or a page of a list began from is forgotten: list anew.</summary>
    Expired,

    /// <summary>The API server asks for patience, or our own rate limit's queue is full.</summary>
    Overload,

    /// <summary>The gateway's credential is not accepted.</summary>
    Unauthorized,

    /// <summary>The answer is beyond our bound for bodies: it is as large the next time.</summary>
    TooLarge,

    /// <summary>No answer, or none of an API server. A write may have happened: read before it is repeated.</summary>
    Unreachable,
}

/// <summary>A failed call: its kind for code to decide on, and the error for the user.</summary>
internal sealed record KubeError(KubeFailure Failure, GatewayError Error)
{
    /// <summary>How long the API server asks to be left alone.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public override string ToString() => Error.Text;
}

/// <summary>What the API server gave, or why it did not.</summary>
internal readonly record struct KubeResult<T>
{
    private readonly T? value;

    private KubeResult(T? value, KubeError? error)
    {
        this.value = value;
        Error = error;
    }

    public KubeError? Error { get; }

    public bool IsOk => Error is null;

    /// <summary>The value; reading it of a failure is a bug.</summary>
    public T Value => Error is null ? value! : throw new InvalidOperationException($"No value: {Error.Error.Text}");

    public static implicit operator KubeResult<T>(T value) => new(value, null);

    public static implicit operator KubeResult<T>(KubeError error) => new(default, error);

    /// <summary>For interfaces and null, which convert to nothing by themselves.</summary>
    [SuppressMessage("Design", "CA1000:Do not declare static members on generic types", Justification = "As Result<T> has it.")]
    public static KubeResult<T> Ok(T value) => new(value, null);

    public bool Is(KubeFailure failure) => Error?.Failure == failure;

    public bool TryGet([MaybeNullWhen(false)] out T result, [MaybeNullWhen(true)] out KubeError error)
    {
        result = value;
        error = Error;
        return Error is null;
    }
}
