using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features.Ports;

/// <summary>Refused calls of one peer for one reason, as the audit keeps them.</summary>
/// <param name="Key">The client session of the last of them; null: the admin API, which has none.</param>
/// <param name="Reason">What the last of them was told.</param>
/// <param name="Calls">How many calls this stands for.</param>
/// <param name="Request">Method and path of the last request to the admin API; null: Spark Connect.</param>
public sealed record Denial(ClientSessionKey? Key, ErrorCode Code, string Reason, int Calls, Caller Caller, string? Request = null);
