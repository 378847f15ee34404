using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>The tables of migrations/, for both databases. Column defaults give the times.</summary>
internal sealed class GatewayDbContext(DbContextOptions<GatewayDbContext> options) : DbContext(options)
{
    public DbSet<SessionRow> Sessions => Set<SessionRow>();

    public DbSet<BindingRow> Bindings => Set<BindingRow>();

    public DbSet<ReplicaRow> Replicas => Set<ReplicaRow>();

    public DbSet<TurnRow> Turns => Set<TurnRow>();

    public DbSet<InstanceRow> Instances => Set<InstanceRow>();

    public DbSet<AuditRow> AuditLog => Set<AuditRow>();

    protected override void ConfigureConventions(ModelConfigurationBuilder conventions)
    {
        conventions.Properties<SessionKind>().HaveConversion<WordConverter<SessionKind>>();
        conventions.Properties<SessionState>().HaveConversion<WordConverter<SessionState>>();
        conventions.Properties<EndReason>().HaveConversion<WordConverter<EndReason>>();
        conventions.Properties<BindingState>().HaveConversion<WordConverter<BindingState>>();
        conventions.Properties<BoundVia>().HaveConversion<WordConverter<BoundVia>>();
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        StoreClock.Map(modelBuilder, Database.IsSqlite());

        var sessions = modelBuilder.Entity<SessionRow>().ToTable("sessions");
        sessions.Property(row => row.Id).ValueGeneratedNever();
        Defaulted(sessions.Property(row => row.OpenedAt));

        var bindings = modelBuilder.Entity<BindingRow>().ToTable("bindings");
        bindings.HasKey(row => row.Key);
        bindings.HasOne<SessionRow>().WithMany().HasForeignKey(row => row.SessionRowId);
        Defaulted(bindings.Property(row => row.CreatedAt));

        var replicas = modelBuilder.Entity<ReplicaRow>().ToTable("replicas");
        replicas.Property(row => row.Id).ValueGeneratedNever();
        Defaulted(replicas.Property(row => row.StartedAt));
        Defaulted(replicas.Property(row => row.HeartbeatAt));
        Defaulted(replicas.Property(row => row.SteadySince));

        modelBuilder.Entity<TurnRow>().ToTable("session_turn");
        modelBuilder.Entity<InstanceRow>().ToTable("gateway_instance");

        var audit = modelBuilder.Entity<AuditRow>().ToTable("audit_log");
        Defaulted(audit.Property(row => row.At));
        if (Database.IsNpgsql()) audit.Property(row => row.Detail).HasColumnType("jsonb");

        foreach (var property in modelBuilder.Model.GetEntityTypes().SelectMany(type => type.GetProperties()))
            property.SetColumnName(ColumnWord.Of(property.Name));
    }

    private static void Defaulted(PropertyBuilder<DateTime> time) => time.ValueGeneratedOnAdd();

    /// <summary>An enum as the word that a DBA reads.</summary>
    private sealed class WordConverter<T>() : ValueConverter<T, string>(value => ColumnWord.Of(value), word => ColumnWord.Parse<T>(word))
        where T : struct, Enum;
}
