using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features.Ports;

/// <summary>Whether a driver works although no call is open: a streaming query, or one whose client has gone. Asks the driver itself, for a bounded time.</summary>
public interface IDriverActivity
{
    /// <summary>What runs, in words for the log; null: nothing. A driver that does not say is an error.</summary>
    Task<Result<string?>> WhatRunsAsync(Session session, CancellationToken cancellation);
}
