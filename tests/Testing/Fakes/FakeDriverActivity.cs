using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Testing.Fakes;

/// <summary>All drivers do what the test says.</summary>
public sealed class FakeDriverActivity : IDriverActivity
{
    public Result<string?> Answer { get; set; } = Result<string?>.Ok(null);

    public int Asked { get; private set; }

    public Task<Result<string?>> WhatRunsAsync(Session session, CancellationToken cancellation)
    {
        Asked++;
        return Task.FromResult(Answer);
    }
}
