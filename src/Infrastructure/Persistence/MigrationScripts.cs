using System.Reflection;
using System.Text;
using DbUp.Engine;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>The SQL files of migrations/, as the assembly carries them.</summary>
internal sealed class MigrationScripts
{
    /// <summary>Made before anything else, and safe to run again, so it is not journaled.</summary>
    private const string JournalFile = "journal.sql";

    /// <summary>Needs rights of its own, and may have to be run again, so it is not journaled.</summary>
    private const string RolesFile = "roles.sql";

    private MigrationScripts(IReadOnlyDictionary<string, string> files)
    {
        Journal = files[JournalFile];
        Roles = files.GetValueOrDefault(RolesFile);
        Numbered = [.. files.Where(file => file.Key is not (JournalFile or RolesFile)).OrderBy(file => file.Key, StringComparer.Ordinal).Select(file => new SqlScript(file.Key, file.Value))];
    }

    public string Journal { get; }

    /// <summary>The statements of the roles' file; null: this database has no roles.</summary>
    public string? Roles { get; }

    /// <summary>Run once each, in this order.</summary>
    public IReadOnlyList<SqlScript> Numbered { get; }

    public static MigrationScripts For(StoreKind kind)
    {
        var assembly = Assembly.GetExecutingAssembly();
        var prefix = kind == StoreKind.Sqlite ? "migrations/sqlite/" : "migrations/postgres/";
        return new MigrationScripts(assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(name => name[prefix.Length..], name => Read(assembly, name)));
    }

    /// <summary>All of it as a DBA would run it by hand, journal entries included.</summary>
    public string Print()
    {
        var text = new StringBuilder(Journal);
        foreach (var script in Numbered)
            text.Append('\n').Append(script.Contents).Append($"\nINSERT INTO schema_migrations (name) VALUES ('{script.Name}');\n");
        if (Roles is not null) text.Append('\n').Append(Roles);
        return text.ToString();
    }

    private static string Read(Assembly assembly, string name)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
