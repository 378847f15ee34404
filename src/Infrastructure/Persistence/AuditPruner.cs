using Microsoft.EntityFrameworkCore;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Infrastructure.Persistence;

/// <param name="Store">Which store, for people.</param>
/// <param name="CutOff">Rows up to this time, by the store's clock.</param>
public sealed record AuditPruneReport(string Store, DateTimeOffset CutOff, long Rows);

/// <summary>
/// Retention of the audit, with the rights of its owner. The rows of a session go together, once all of them are old and the session has
/// ended; what earlier prunes recorded stays, for it says what is missing.
/// </summary>
public sealed class AuditPruner
{
    /// <summary>Younger rows are still asked about, by people and by audits of a quarter.</summary>
    public const int ShortestDays = 90;

    /// <summary>One transaction each; under a second, so that `serve` on SQLite hardly waits.</summary>
    public const int BatchRows = 10_000;

    public const int StatementSeconds = 600;

    private const string Action = "prune";

    private readonly StoreRunner store;
    private readonly StoreDialect dialect;
    private readonly AuditTrail audit;

    internal AuditPruner(StoreRunner store, StoreDialect dialect, AuditTrail audit) => (this.store, this.dialect, this.audit) = (store, dialect, audit);

    /// <summary>What <see cref="PruneAsync"/> would delete.</summary>
    public async Task<Result<AuditPruneReport>> CountAsync(TimeSpan age, CancellationToken cancellation)
    {
        var seconds = Seconds(age);
        return await store.ReadAsync(async db => new AuditPruneReport(Name, await CutOffAsync(db, seconds, cancellation), await Old(db, seconds).LongCountAsync(cancellation)), cancellation);
    }

    /// <summary>Deletes in batches, each with its audit row; one that fails leaves those before it done.</summary>
    /// <param name="actor">Who asked for it, for the audit.</param>
    public async Task<Result<AuditPruneReport>> PruneAsync(TimeSpan age, string actor, int batchRows, CancellationToken cancellation)
    {
        var mayDelete = await store.ReadAsync(db => MayDeleteAsync(db, cancellation), cancellation);
        if (!mayDelete.TryGet(out var isOwner, out var unread)) return unread;
        if (!isOwner) return NotOwner;

        var seconds = Seconds(age);
        var total = 0L;
        while (true)
        {
            var batch = await store.ChangeAsync<AuditPruneReport>(db => DeleteBatchAsync(db, seconds, actor, batchRows, cancellation), cancellation);
            if (!batch.TryGet(out var done, out var error)) return error with { Text = $"{error.Text} {total} rows were deleted before that, and are in the audit." };
            total += done.Rows;
            if (done.Rows < batchRows) return done with { Rows = total };
        }
    }

    private string Name => $"{dialect.Title}, {dialect.Place}";

    private static GatewayError NotOwner { get; } = new(ErrorCode.PermissionDenied, Blame.Client,
        "This user may not delete from audit_log, which is as it should be for the one that serves: name the connection string of a member of spark_gateway_owner with --owner-connection-string-file FILE.");

    private async Task<Change<AuditPruneReport>> DeleteBatchAsync(GatewayDbContext db, int seconds, string actor, int batchRows, CancellationToken cancellation)
    {
        var cutOff = await CutOffAsync(db, seconds, cancellation);
        var trigger = await TakeTriggerAsync(db, cancellation);
        var deleted = await Old(db, seconds).OrderBy(row => row.At).Take(batchRows).ExecuteDeleteAsync(cancellation);
        if (trigger is not null) await db.Database.ExecuteSqlRawAsync(trigger, cancellation);
        var report = new AuditPruneReport(Name, cutOff, deleted);
        if (deleted == 0) return Change.Drop(report);

        db.Add(audit.Pruned(actor, deleted, cutOff));
        await db.SaveChangesAsync(cancellation);
        return Change.Keep(report);
    }

    private static IQueryable<AuditRow> Old(GatewayDbContext db, int seconds) => db.AuditLog
        .Where(row => row.At <= StoreClock.SecondsAgo(seconds) && row.Action != Action)
        .Where(row => row.SessionRowId == null || (
            !db.Sessions.Any(session => session.Id == row.SessionRowId && session.State != SessionState.Ended)
            && !db.AuditLog.Any(later => later.SessionRowId == row.SessionRowId && later.At > StoreClock.SecondsAgo(seconds))));

    private static async Task<DateTimeOffset> CutOffAsync(GatewayDbContext db, int seconds, CancellationToken cancellation) =>
        SessionRow.Utc(await db.Turns.Select(_ => StoreClock.SecondsAgo(seconds)).SingleAsync(cancellation));

    private async Task<bool> MayDeleteAsync(GatewayDbContext db, CancellationToken cancellation) =>
        dialect.Kind == StoreKind.Sqlite
        || await db.Database.SqlQueryRaw<bool>("SELECT has_table_privilege('audit_log', 'DELETE') AS \"Value\"").SingleAsync(cancellation);

    /// <summary>SQLite has no roles: its trigger is gone for this transaction only. Returns the statement that makes it again.</summary>
    private async Task<string?> TakeTriggerAsync(GatewayDbContext db, CancellationToken cancellation)
    {
        if (dialect.Kind != StoreKind.Sqlite) return null;
        var trigger = await db.Database
            .SqlQueryRaw<string>("SELECT sql AS \"Value\" FROM sqlite_master WHERE type = 'trigger' AND name = 'audit_log_no_delete'")
            .SingleAsync(cancellation);
        await db.Database.ExecuteSqlRawAsync("DROP TRIGGER audit_log_no_delete", cancellation);
        return trigger;
    }

    private static int Seconds(TimeSpan age) => (int)Math.Min(int.MaxValue, Math.Ceiling(age.TotalSeconds));
}
