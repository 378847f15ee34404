using ArchUnitNET.Domain;
using ArchUnitNET.Domain.Extensions;
using ArchUnitNET.Loader;
using HouseModel = ArchUnitNET.Domain.Architecture;

namespace SparkGateway.Architecture.Tests;

/// <summary>
/// The compiled types below one root namespace: the product's, or the bad samples' of this project, which repeat the
/// product's rooms so that each rule is seen to fail. Lambdas, iterators and async bodies count to the type they stand in.
/// </summary>
internal sealed class House(string root, params System.Reflection.Assembly[] assemblies)
{
    public static readonly House Product = new(
        "SparkGateway",
        System.Reflection.Assembly.Load("SparkGateway.Domain"),
        System.Reflection.Assembly.Load("SparkGateway.Features"),
        System.Reflection.Assembly.Load("SparkGateway.Infrastructure"),
        System.Reflection.Assembly.Load("spark-gateway"));

    public static readonly House Samples = new("SparkGateway.Samples", typeof(House).Assembly);

    private readonly HouseModel model = new ArchLoader().LoadAssemblies(assemblies).Build();

    public string Root => root;

    /// <summary>The types in that room and in all rooms inside it.</summary>
    public IEnumerable<IType> In(string room) => model.Types.Where(type => IsIn(type.FullName, $"{root}.{room}"));

    public IEnumerable<IType> In(params IEnumerable<string> rooms) => rooms.SelectMany(In);

    /// <summary>Is that type, by its full name, in that room of this house?</summary>
    public bool Holds(string room, string type) => IsIn(type, $"{root}.{room}");

    /// <summary>Each name "Type uses Target" of a target that is refused.</summary>
    public static IReadOnlyList<string> Breaks(IEnumerable<IType> types, Func<IType, string, bool> refused) =>
    [
        .. from type in types
           from target in Uses(type)
           where refused(type, target)
           select $"{type.FullName} uses {target}",
    ];

    public static IEnumerable<string> Uses(IType type) => type.Dependencies.Select(dependency => dependency.Target.FullName).Distinct().Order();

    /// <summary>In a namespace, in one below it, or that very type (with what is nested in it, or its generic form).</summary>
    public static bool IsIn(string type, params IEnumerable<string> places) => places.Any(place =>
        type.StartsWith(place, StringComparison.Ordinal) && (type.Length == place.Length || type[place.Length] is '.' or '+' or '`'));
}
