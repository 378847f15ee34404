using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Profiles;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

/// <summary>The application to make for a session.</summary>
internal sealed record ApplicationSpec
{
    public required ObjectKey Key { get; init; }

    public required Guid SessionId { get; init; }

    /// <summary>The gateway that it belongs to: a UUID of its store.</summary>
    public required string Instance { get; init; }

    public required string Team { get; init; }

    public required string Environment { get; init; }

    public required string User { get; init; }

    public required Profile Profile { get; init; }

    /// <summary>After which the driver ends itself, if no gateway has: longer than any session may live.</summary>
    public required TimeSpan DriverTimeout { get; init; }

    /// <summary>How long the operator keeps an application that has ended.</summary>
    public required TimeSpan FinishedTtl { get; init; }

    /// <summary>The Secret with the driver's token under <see cref="TokenKey"/>; null: the driver demands none.</summary>
    public required string? TokenSecret { get; init; }

    public const string TokenKey = "token";

    public const int Port = 15002;
}
