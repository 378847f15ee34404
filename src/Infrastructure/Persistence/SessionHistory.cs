using Microsoft.EntityFrameworkCore;
using SparkGateway.Domain;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>Reads the audit by session, along the index of ends.</summary>
internal sealed class SessionHistory(StoreRunner store) : ISessionHistory
{
    public Task<Result<bool>> HasEndedAsync(Guid sessionId, CancellationToken cancellation) =>
        store.ReadAsync(db => db.AuditLog.AnyAsync(entry => entry.SessionRowId == sessionId && entry.Action == "end", cancellation), cancellation);
}
