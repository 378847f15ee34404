using System.Xml.Linq;

namespace SparkGateway.Architecture.Tests;

/// <summary>What a project file may reference, read from the file itself: a reference that no code uses yet counts too.</summary>
internal static class ProjectRules
{
    public static readonly IReadOnlyDictionary<string, string[]> Projects = new Dictionary<string, string[]>
    {
        ["Domain"] = [],
        ["Features"] = ["Domain"],
        ["Infrastructure"] = ["Features"],
        ["Api"] = ["Features", "Infrastructure"],
    };

    private static readonly Dictionary<string, string[]> Packages = new Dictionary<string, string[]>
    {
        ["Domain"] = [],
        ["Features"] = ["MediatR", "FluentValidation", "Microsoft.Extensions."],
    };

    public static IReadOnlyList<string> ForeignReferences(string project, XDocument file) =>
    [
        .. Named(file, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/')))
            .Where(other => !Projects[project].Contains(other))
            .Concat(Named(file, "PackageReference")
                .Where(package => Packages.TryGetValue(project, out var allowed) && !allowed.Any(name => package == name || (name.EndsWith('.') && package.StartsWith(name, StringComparison.Ordinal)))))
            .Select(name => $"{project} references {name}"),
    ];

    /// <summary>Versions in Directory.Packages.props that no project asks for.</summary>
    public static IReadOnlyList<string> UnusedVersions(XDocument central, IEnumerable<XDocument> projects)
    {
        var used = projects.SelectMany(project => Named(project, "PackageReference")).ToHashSet();
        return [.. Named(central, "PackageVersion").Where(package => !used.Contains(package)).Select(package => $"{package} is used by no project")];
    }

    private static IEnumerable<string> Named(XDocument file, string element) => file.Descendants(element).Select(one => one.Attribute("Include")?.Value ?? "");
}
