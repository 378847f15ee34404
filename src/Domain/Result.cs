using System.Diagnostics.CodeAnalysis;

namespace SparkGateway.Domain;

/// <summary>What every <see cref="Result{T}"/> shows without its type: for code that treats all requests alike.</summary>
public interface IOutcome
{
    GatewayError? Error { get; }
}

/// <summary>A value or the <see cref="GatewayError"/> that stands in its place.</summary>
[SuppressMessage("Design", "CA1000:Do not declare static members on generic types", Justification = "Result<T>.Fail reads better than a second type.")]
public readonly record struct Result<T> : IOutcome
{
    private readonly T? value;

    private Result(T? value, GatewayError? error)
    {
        this.value = value;
        Error = error;
    }

    public GatewayError? Error { get; }

    public bool IsOk => Error is null;

    /// <summary>The value; reading it of a failure is a bug.</summary>
    public T Value => Error is null ? value! : throw new InvalidOperationException($"No value: {Error.Text}");

    public static Result<T> Ok(T value) => new(value, null);

    public static Result<T> Fail(GatewayError error) => new(default, error);

    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Ok and Fail are those.")]
    public static implicit operator Result<T>(T value) => Ok(value);

    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Ok and Fail are those.")]
    public static implicit operator Result<T>(GatewayError error) => Fail(error);

    public bool TryGet([MaybeNullWhen(false)] out T result, [MaybeNullWhen(true)] out GatewayError error)
    {
        result = value;
        error = Error;
        return Error is null;
    }
}
